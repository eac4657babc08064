import js from "@eslint/js";
import tseslint from "typescript-eslint";

const noSleeping = "A test waits for an event or a promise, never for time (CONTRIBUTING.md).";

export default tseslint.config(
  { ignores: ["dist/", "coverage/", "node_modules/", "plugin/hooks/program.cjs"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  js.configs.recommended,
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // A method of an async port is async in every implementation, also where this one has nothing to wait for.
      "@typescript-eslint/require-await": "off",
      // `() => stop()` is the usual way to write a callback.
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      // An endless loop says so with its condition.
      "@typescript-eslint/no-unnecessary-condition": [
        "error",
        { allowConstantLoopConditions: "only-allowed-literals" },
      ],
      // `_` and `_name` stand for a value that a signature imposes.
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      // An event without data has an empty type, and means it.
      "@typescript-eslint/no-generated-empty-object-type": "off",
      // A callback that may be sync or async returns `void | Promise<void>`.
      "@typescript-eslint/no-invalid-void-type": "off",
      // A type parameter that only shapes the answer is how a stored JSON column is read.
      "@typescript-eslint/no-unnecessary-type-parameters": "off",
      eqeqeq: "error",
      "no-console": "error",
    },
  },
  {
    files: ["src/**/*.ts"],
    rules: {
      "max-lines": ["error", { max: 300, skipBlankLines: true, skipComments: true }],
      "max-lines-per-function": ["error", { max: 60, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    // Programs whose output is the point.
    files: ["examples/**", "scripts/**", "bench/**", "test/faults/**", "test/fixtures/**"],
    rules: { "no-console": "off" },
  },
  {
    files: ["test/**/*.ts"],
    ignores: ["test/fixtures/**", "test/faults/**"],
    rules: {
      "no-restricted-globals": [
        "error",
        ...["setTimeout", "setInterval"].map((name) => ({ name, message: noSleeping })),
      ],
      "no-restricted-imports": [
        "error",
        { paths: ["node:timers/promises", "node:timers"].map((name) => ({ name, message: noSleeping })) },
      ],
    },
  },
  {
    files: ["plugin/**/*.cjs"],
    languageOptions: { ecmaVersion: 2022, sourceType: "commonjs", globals: { require: "readonly" } },
  },
  {
    files: ["bin/**/*.js"],
    languageOptions: { ecmaVersion: 2020, sourceType: "script", globals: { process: "readonly", console: "readonly" } },
    rules: { "no-console": "off" },
  },
  {
    files: ["scripts/**/*.js", "test/fixtures/**/*.{js,mjs}"],
    languageOptions: { globals: { process: "readonly", console: "readonly" } },
  },
);
