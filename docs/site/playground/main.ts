import { config } from "zod/v4/core";

// Without this zod tries code from strings once, and the browser reports that the page forbids it.
config({ jitless: true });

import { createApp } from "vue";
import App from "./App.vue";
import "./style.css";
import "../.vitepress/theme/pictures.css";

createApp(App).mount("#playground");
