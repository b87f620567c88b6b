// Starts the quick-ask window.

import { mount } from "svelte";
import Quick from "./Quick.svelte";
import { AppState } from "./app-state.svelte";
import { choosePlatform } from "./platform/choose";

const platform = await choosePlatform("quick");
mount(Quick, { target: document.getElementById("app")!, props: { app: new AppState(platform) } });
