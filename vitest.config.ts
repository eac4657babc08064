import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 30_000 } },
    maxWorkers: 2,
    // Run by a worker of a pool, the tests would otherwise be refused every pool of their own.
    env: { CLAUDE_POOL_MARKER: "" },
  },
});
