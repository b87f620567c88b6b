// Folders that are dropped on the window: offered to be searched.

export { default as FolderDrop } from "./FolderDrop.svelte";
