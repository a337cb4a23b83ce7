//! How long streams go well: the survival curve of requests to the first refusal (R5).

/// The curve of one configuration and policy (Kaplan and Meier, 1958). A stream that ends without
/// a refusal is cut off there: it lasted longer than it was watched.
#[derive(Clone, PartialEq, Debug)]
pub struct Curve {
    /// Streams.
    pub streams: u64,
    /// Those with a refused request.
    pub failed: u64,
    /// Steps, ascending in requests, at most [`MOST_POINTS`]; it begins with 0 requests, where all
    /// go well, and stays level between two points and up to [`requests_end`](Self::requests_end).
    pub points: Vec<Point>,
    /// Requests of the longest stream: nothing is known behind it.
    pub requests_end: u64,
}

/// The most points of a curve.
pub const MOST_POINTS: usize = 60;

/// Where a curve steps down.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Point {
    /// Requests made, the refused one included.
    pub requests: u64,
    /// Streams that came so far without a refusal and were still watched just before.
    pub at_risk: u64,
    /// The share of streams that come further without a refusal.
    pub surviving: f64,
    /// Lower end of its 95 % interval, at this point alone.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}
