import { defineConfig } from "vitest/config";

/** For mutation testing: the tests that judge src/, with fewer runs, as each runs for every mutant. */
export default defineConfig({
  resolve: {
    alias: [
      { find: /^polaris-session-policy$/, replacement: `${import.meta.dirname}/src/index.ts` },
    ],
  },
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 60_000,
    exclude: [
      "test/{server,runtimes,engines}/**",
      "test/{cli/*,docs,purity,testing/your-catalog}.test.ts", // of the build, or of pages
    ],
    env: { FC_NUM_RUNS: "60" },
  },
});
