// Starts the main window.

import { mount } from "svelte";
import App from "./App.svelte";
import { AppState } from "./app-state.svelte";
import { choosePlatform } from "./platform/choose";

const platform = await choosePlatform("main");
mount(App, { target: document.getElementById("app")!, props: { app: new AppState(platform) } });
