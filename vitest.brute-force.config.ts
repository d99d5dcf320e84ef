import { defineConfig } from "vitest/config";

/** The exhaustive part of the tests: every way to group three tables' grants, and many random sessions. */
export default defineConfig({
  test: {
    include: ["test/{statements,list-statements,least-privilege}.test.ts"],
    maxWorkers: 2,
    testTimeout: 300_000,
    env: { BRUTE_FORCE: "1", FC_NUM_RUNS: "1000" },
  },
});
