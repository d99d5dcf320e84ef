declare module "virtual:action-reasons" {
  export const REASONS: readonly {
    readonly action: string;
    readonly access: string;
    readonly why: string;
    readonly link: string;
  }[];
}
declare module "*.css";
declare module "*?raw" {
  const text: string;
  export default text;
}
interface ImportMeta {
  readonly env: { readonly BASE_URL: string };
}
