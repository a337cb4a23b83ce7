// What colours mean: classes of buffers, and the shades of a theme.

const CLIENT_CLASSES = 9;
const SIZE_CLASSES = ["1 page", "2–16", "17–64", "65–256", "257–1,024", "1,025–4,096", "more"];
const SIZE_LIMITS = [1, 16, 64, 256, 1024, 4096];
const LOSS_CLASSES = ["none", "up to 1/8", "up to 1/4", "up to 1/2", "more"];
const AGE_LIMITS = [1 / 1000, 1 / 100, 1 / 30, 1 / 10, 1 / 3];

const LIGHT = {
  paper: "#ffffff",
  free: "#eef1f4",
  text: "#1b1f24",
  soft: "#57606a",
  line: "#d5dae0",
  hatch: "#b45309",
  miss: "#c81e1e",
  cursor: "#1b1f24",
  take: "#2563eb",
  good: "#15803d",
  none: "#8a94a0",
  nobody: "#7c2d12",
  others: "#b3a88f",
  onBuffer: "#ffffff",
  clients: ["#3b6ea8", "#2f8f5b", "#8d3b8d", "#2aa5b8", "#9a8a1f", "#6457c7", "#b0588a", "#5f7d2c"],
  ramp: ["#cfe0f3", "#a3c4e6", "#73a3d4", "#4a80bd", "#2c5c99", "#173c6e", "#0b2347"],
};

const DARK = {
  paper: "#11151a",
  free: "#20272f",
  text: "#e6eaef",
  soft: "#9aa5b1",
  line: "#303841",
  hatch: "#d08a2c",
  miss: "#f87171",
  cursor: "#ffffff",
  take: "#60a5fa",
  good: "#4ade80",
  none: "#77828e",
  nobody: "#fdba74",
  others: "#8f866f",
  onBuffer: "#0b0e12",
  clients: ["#5b93d3", "#4db980", "#bd6fc0", "#45bfd2", "#c2b14a", "#9086ee", "#d884b1", "#93b35a"],
  ramp: ["#24405f", "#2f567f", "#3d70a4", "#5490c9", "#79b0e0", "#a5cff0", "#d5eafb"],
};

const darkWanted = matchMedia("(prefers-color-scheme: dark)");
const onPaper = { now: false };

function theme() {
  return darkWanted.matches && !onPaper.now ? DARK : LIGHT;
}

/** The number of the class whose limit a value does not exceed. */
function classUpTo(limits, value) {
  let k = 0;
  while (k < limits.length && value > limits[k]) k += 1;
  return k;
}

/** The clients of an area, those with the most granted pages first; 0 is who is not known. */
function clientRanks(panels) {
  const pages = new Map();
  for (const panel of panels) {
    for (let grant = 0; grant < panel.id.length; grant += 1) {
      const client = panel.client[grant];
      pages.set(client, (pages.get(client) || 0) + panel.count[grant]);
    }
  }
  return [...pages.keys()]
    .filter((client) => client > 0)
    .sort((a, b) => pages.get(b) - pages.get(a) || a - b);
}

/** Classes by client: each its own colour, but those with the least share one. */
function byClient(head, panels) {
  const ranks = clientRanks(panels);
  const own = ranks.length < CLIENT_CLASSES ? ranks : ranks.slice(0, CLIENT_CLASSES - 2);
  const names = own.map((client) => head.clients[client - 1]);
  const unknown = panels.some((panel) => panel.client.includes(0));
  const others = ranks.length - own.length;
  if (others) names.push(counted(others, "other"));
  names.push("not known");
  const last = names.length - 1;
  const of = new Map(ranks.map((client, rank) => [client, Math.min(rank, own.length)]));
  return {
    title: "client",
    names,
    classOfGrant: (panel, grant) => of.get(panel.client[grant]) ?? last,
    shades: (shown) => {
      const known = own.map((_, k) => shown.clients[k]);
      return [...known, ...(others ? [shown.others] : []), shown.none];
    },
    tellsApart: ranks.length > 1,
    isUsed: (k) => k < last || unknown,
  };
}

function lossOf(panel, grant) {
  return roundUp(panel.count[grant], 2 ** panel.align[grant]) - panel.count[grant];
}

function ramped(title, names, classOfGrant) {
  const step = names.length > 1 ? 6 / (names.length - 1) : 0;
  const shades = (shown) => names.map((_, k) => shown.ramp[Math.round(k * step)]);
  return { title, names, classOfGrant, shades, isUsed: () => true };
}

/** Ages of the classes in board time, or in operations where no time is known. */
function ageNames(head, clock) {
  const whole = Math.max(1, clock.span);
  const words = (share) =>
    head.has_time ? spanWords(whole * share) : counted(Math.ceil(whole * share), "operation");
  const upTo = AGE_LIMITS.map((share) => `up to ${words(share)}`);
  return [...upTo, "older"];
}

/** The ways to colour, by name. */
function colourings(head, panels, clock) {
  const lost = (panel, grant) => {
    const loss = lossOf(panel, grant);
    return loss === 0
      ? 0
      : 1 + classUpTo([1 / 8, 1 / 4, 1 / 2], loss / (loss + panel.count[grant]));
  };
  return {
    client: byClient(head, panels),
    size: ramped("pages of a buffer", SIZE_CLASSES, (panel, grant) =>
      classUpTo(SIZE_LIMITS, panel.count[grant]),
    ),
    age: ramped("age", ageNames(head, clock), () => 0),
    loss: ramped(
      "alignment loss, as a share of the room up to the next aligned page",
      LOSS_CLASSES,
      lost,
    ),
  };
}

/** A way to colour, for the scan of a panel. */
function coloursFor(panel, name, coloured, wholeUs) {
  const classOf = new Uint8Array(panel.id.length);
  for (let grant = 0; grant < classOf.length; grant += 1) {
    classOf[grant] = coloured.classOfGrant(panel, grant);
  }
  return {
    classes: coloured.names.length,
    classOf,
    byAge: name === "age",
    ageClass: (us) => classUpTo(AGE_LIMITS, us / wholeUs),
  };
}

function channels(colour) {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
}

/** Colour `b` over `a`, as a pixel of ImageData. */
function mixed(a, b, share) {
  const [red, green, blue] = [0, 1, 2].map((k) => Math.round(a[k] + (b[k] - a[k]) * share));
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** Pixels by class and cover, plain and hatched, so that painting only looks up. */
function shadeTable(shades, shown) {
  const levels = 33;
  const free = channels(shown.free);
  const hatch = channels(shown.hatch);
  const unpack = (pixel) => [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255];
  const plain = new Uint32Array(shades.length * levels);
  const hatched = new Uint32Array(shades.length * levels * levels);
  shades.forEach((shade, k) => {
    for (let cover = 0; cover < levels; cover += 1) {
      const at = k * levels + cover;
      plain[at] = mixed(free, channels(shade), cover / (levels - 1));
      for (let dead = 0; dead < levels; dead += 1) {
        const share = Math.min(1, (dead * 1.25) / (levels - 1));
        hatched[at * levels + dead] = mixed(unpack(plain[at]), hatch, share);
      }
    }
  });
  return { plain, hatched, level: (byte) => ((byte * (levels - 1) + 254) / 255) | 0, levels };
}

/** Every sixth diagonal line is one of the hatch. */
function isHatch(x, y, thick) {
  return (x + y) % (6 * thick) < 1.5 * thick;
}
