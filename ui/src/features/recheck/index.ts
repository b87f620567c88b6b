// An old answer checked again: how it is begun, what is seen while it runs, and what came of it.

export { AnswerRecheck } from "./recheck.svelte";
export { default as RecheckMenu } from "./RecheckMenu.svelte";
export { default as RecheckPanel } from "./RecheckPanel.svelte";
export { default as ScheduledRechecks } from "./ScheduledRechecks.svelte";
