// Run from the root of the project, whose paths these are.
import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: ["**/node_modules/**"] },
  js.configs.recommended,
  {
    files: ["realtime/dashboard/page/**/*.js"],
    languageOptions: { globals: { ...globals.browser, MediaStreamTrackProcessor: "readonly" } },
    rules: {
      "no-unused-expressions": ["error", { allowTernary: true, allowShortCircuit: true }],
      "prefer-const": ["error", { destructuring: "all" }],
      eqeqeq: "error",
      "no-var": "error",
      "no-restricted-syntax": ["error", {
        selector: "AssignmentExpression[left.type='MemberExpression'][left.object.name='window']",
        message: "no globals: export it",
      }],
    },
  },
  { files: ["tests/page/*.js"], languageOptions: { globals: globals.node } },
];
