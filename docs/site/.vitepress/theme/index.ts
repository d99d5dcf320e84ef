import DefaultTheme from "vitepress/theme-without-fonts";
import "./style.css";
import "./pictures.css";

export default DefaultTheme;
