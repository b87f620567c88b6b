// The pictures of an answer's sources, from local copies.

export { default as Pictures } from "./Pictures.svelte";
