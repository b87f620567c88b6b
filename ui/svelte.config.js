// Every component is written with runes; one that is not is a mistake.
export default {
  compilerOptions: { runes: true },
  // The plain CSS and TypeScript of our components need no preprocessor beyond Svelte's own.
  vitePlugin: {
    dynamicCompileOptions: ({ filename }) => (filename.includes("node_modules") ? { runes: undefined } : undefined),
  },
};
