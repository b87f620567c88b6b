// Starts the main window.

import { mount } from "svelte";
import App from "./App.svelte";
import { AppState } from "./app-state.svelte";
import { libraryOf } from "./features/library";
import { choosePlatform } from "./platform/choose";
import { language } from "./shared/i18n.svelte";

const platform = await choosePlatform("main");
const app = new AppState(platform);
// Before the words are here: the chats are mostly there when there is something to show them in.
libraryOf(app).start();
await language.choose(platform.start.language ?? "");
mount(App, { target: document.getElementById("app")!, props: { app } });
