import { defineConfig } from "vitest/config";

// Polaris' published generator beside ours; needs Java and Maven Central: `npm run test:polaris`.
export default defineConfig({
  test: {
    include: ["test/polaris/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 300_000,
  },
});
