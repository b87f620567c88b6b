export { hostOf } from "./hits";
export { libraryOf, type LibraryState } from "./library.svelte";
export { default as Marked } from "./Marked.svelte";
export { shortDate } from "./short-date";
export { default as Sidebar } from "./Sidebar.svelte";
export const loadSortDialog = () => import("./sorting/SortDialog.svelte");
