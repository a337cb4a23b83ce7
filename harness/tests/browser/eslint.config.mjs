import js from "@eslint/js";
import globals from "globals";

const rules = {
  ...js.configs.recommended.rules,
  curly: ["error", "multi-line"],
  eqeqeq: "error",
  "max-len": ["error", { code: 100, ignoreStrings: true, ignoreTemplateLiterals: true }],
  "max-lines": ["error", 400],
  "max-lines-per-function": ["error", { max: 60, skipBlankLines: true }],
  "no-eval": "error",
  "no-implied-eval": "error",
  "no-restricted-properties": [
    "error",
    { property: "innerHTML", message: "names come from logs: use textContent" },
    { property: "outerHTML", message: "names come from logs: use textContent" },
    { property: "insertAdjacentHTML", message: "names come from logs: use textContent" },
  ],
  "no-shadow": "error",
  "no-unused-vars": ["error", { args: "after-used" }],
  "no-use-before-define": ["error", { functions: false, classes: false, variables: false }],
  "no-var": "error",
  "prefer-const": "error",
};

/** For the script of the page: its files are one script, and lint.mjs hands them over as one. */
export const page = {
  files: ["**/page.js"],
  languageOptions: { ecmaVersion: 2024, sourceType: "script", globals: globals.browser },
  rules: { ...rules, "max-lines": "off", strict: ["error", "global"] },
};

export default [
  { ignores: ["node_modules/"] },
  {
    files: ["**/*.mjs"],
    languageOptions: { globals: { ...globals.node, ...globals.browser } },
    rules,
  },
  // A describe is one function, however many tests it holds.
  { files: ["parts/*.mjs"], rules: { "max-lines-per-function": "off" } },
];
