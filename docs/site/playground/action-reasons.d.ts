import type { Plugin } from "vitepress";

export function actionReasons(): Plugin;
