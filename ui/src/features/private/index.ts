// Private mode: whether it is on, and how that is seen.

export { default as PrivateMark } from "./PrivateMark.svelte";
export { default as PrivateMode } from "./PrivateMode.svelte";
export { isPrivate } from "./private";
