// Starts the main window.

import { mount } from "svelte";
import App from "./App.svelte";
import { AppState } from "./app-state.svelte";
import { libraryOf } from "./features/library";
import { choosePlatform } from "./platform/choose";
import { language } from "./shared/i18n.svelte";
import { painted } from "./shared/painted";

/** The window does not wait longer for what it shows first. */
const PATIENCE_MS = 100;

const platform = await choosePlatform("main");
const app = new AppState(platform);
// Chats mostly come sooner than a window without them would be painted, and what is painted once is painted sooner.
const chats = libraryOf(app).start();
const soon = new Promise((late) => setTimeout(late, PATIENCE_MS));
await Promise.all([language.choose(platform.start.language ?? ""), Promise.race([chats, soon])]);
app.applyLook();
mount(App, { target: document.getElementById("app")!, props: { app } });
// What nobody sees at first comes after what they do.
await painted;
app.start();
