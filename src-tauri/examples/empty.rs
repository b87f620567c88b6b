//! A window with nothing in it: what the benchmark `desktop` holds the app against.

fn main() {
    let context = tauri::generate_context!("examples/empty/tauri.conf.json");
    tauri::Builder::default().run(context).expect("showing an empty window");
}
