export const loadBudgetPopover = () => import("./BudgetPopover.svelte");
export { default as Contents } from "./Contents.svelte";
export { default as ResearchPanel } from "./ResearchPanel.svelte";
export { AS_USUAL, isAsUsual, type Limits, pricedness } from "./budget";
export { headingsOf } from "./headings";
