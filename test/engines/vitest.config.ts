import { defineConfig } from "vitest/config";

// The example catalog, which needs packages of its own: `npm run test:catalog`.
export default defineConfig({
  test: {
    include: ["test/engines/catalog.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
