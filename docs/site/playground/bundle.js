import { fileURLToPath } from "node:url";
import vue from "@vitejs/plugin-vue";
import { actionReasons } from "./action-reasons.js";

const HERE = fileURLToPath(new URL("./", import.meta.url));

/** The playground beside the pages: one document, its scripts and its style as files. */
export const playground = {
  configFile: false,
  root: HERE,
  base: process.env.BASE ?? "/",
  publicDir: false,
  plugins: [vue(), actionReasons()],
  define: {
    __VUE_OPTIONS_API__: "false",
    __VUE_PROD_DEVTOOLS__: "false",
    __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false",
  },
  logLevel: "warn",
  build: {
    outDir: process.env.OUT ?? fileURLToPath(new URL("../../../site", import.meta.url)),
    emptyOutDir: false,
    assetsDir: "assets/playground",
    // The polyfill fetches, which the page's Content-Security-Policy forbids.
    modulePreload: { polyfill: false },
    target: "es2022",
    rollupOptions: {
      input: `${HERE}playground.html`,
      // Comments in zod's sources that are for another bundler.
      onwarn: (warning, warn) => {
        if (warning.code !== "INVALID_ANNOTATION") warn(warning);
      },
    },
  },
};
