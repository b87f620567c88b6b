// Starts the main window.

import { mount } from "svelte";
import App from "./App.svelte";
import { AppState } from "./app-state.svelte";
import { choosePlatform } from "./platform/choose";
import { language } from "./shared/i18n.svelte";

const platform = await choosePlatform("main");
await language.choose(platform.start.language ?? "");
mount(App, { target: document.getElementById("app")!, props: { app: new AppState(platform) } });
