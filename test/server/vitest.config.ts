import { defineConfig } from "vitest/config";

// One server for all files, one file after the other.
export default defineConfig({
  test: {
    include: ["test/server/*.test.ts"],
    globalSetup: ["test/server/gateway.ts"],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
