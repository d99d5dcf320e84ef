import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/*.test.ts"],
    maxWorkers: 2,
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // Two files share the processor, and a page may take a second to answer.
    expect: { poll: { timeout: 30_000 } },
  },
});
