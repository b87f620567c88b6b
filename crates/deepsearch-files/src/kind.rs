//! Which files are read, by the ending of their names; the bytes have the last word when they are.

use std::path::Path;

/// How a file becomes text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text as it is: Markdown, source code, logs, data.
    Plain,
    /// Read by a parser, in a child process. The media type is what the parser is told.
    Parsed(&'static str),
}

/// `None` for files that hold no text for people: pictures, films, programs, archives.
pub(crate) fn of(path: &Path) -> Option<Kind> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    let Some((_, ending)) = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()) else {
        return NAMES.contains(&&*name).then_some(Kind::Plain);
    };
    match ending {
        "html" | "htm" | "xhtml" => Some(Kind::Parsed("text/html")),
        "pdf" => Some(Kind::Parsed("application/pdf")),
        "docx" | "docm" | "odt" | "pptx" | "odp" | "xlsx" | "ods" => Some(Kind::Parsed(OFFICE)),
        _ => PLAIN.contains(&ending).then_some(Kind::Plain),
    }
}

/// For every office document: which of them it is, its parts say.
const OFFICE: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

/// Names without an ending that are text everywhere.
const NAMES: &[&str] = &[
    "readme",
    "license",
    "licence",
    "copying",
    "changelog",
    "authors",
    "contributing",
    "notice",
    "todo",
    "makefile",
    "dockerfile",
    "containerfile",
    "justfile",
    "jenkinsfile",
    "gemfile",
    "rakefile",
    "vagrantfile",
    "procfile",
    "notes",
];

const PLAIN: &[&str] = &[
    // texts
    "md",
    "markdown",
    "mdx",
    "txt",
    "text",
    "rst",
    "adoc",
    "asciidoc",
    "org",
    "tex",
    "bib",
    "log",
    "srt",
    "vtt",
    "eml",
    "ics",
    // source code
    "rs",
    "py",
    "pyi",
    "js",
    "mjs",
    "cjs",
    "jsx",
    "ts",
    "mts",
    "cts",
    "tsx",
    "svelte",
    "vue",
    "astro",
    "css",
    "scss",
    "sass",
    "less",
    "java",
    "kt",
    "kts",
    "scala",
    "groovy",
    "clj",
    "cljs",
    "c",
    "h",
    "cc",
    "cpp",
    "cxx",
    "hpp",
    "hh",
    "m",
    "mm",
    "swift",
    "go",
    "rb",
    "php",
    "pl",
    "pm",
    "lua",
    "r",
    "jl",
    "hs",
    "ml",
    "mli",
    "fs",
    "fsx",
    "cs",
    "vb",
    "ex",
    "exs",
    "erl",
    "elm",
    "dart",
    "zig",
    "nim",
    "d",
    "v",
    "sv",
    "vhd",
    "asm",
    "s",
    "f90",
    "f95",
    "pas",
    "lisp",
    "el",
    "scm",
    "rkt",
    "sh",
    "bash",
    "zsh",
    "fish",
    "ps1",
    "bat",
    "cmd",
    "sql",
    "graphql",
    "gql",
    "proto",
    "thrift",
    "tf",
    "nix",
    "cmake",
    "gradle",
    "mk",
    "diff",
    "patch",
    "ipynb",
    // data that people read
    "json",
    "jsonl",
    "json5",
    "yaml",
    "yml",
    "toml",
    "ini",
    "cfg",
    "conf",
    "properties",
    "csv",
    "tsv",
    "xml",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_read_and_what_programs_make_is_not() {
        for plain in ["a/Notes.MD", "README", "src/main.rs", "x.tar.txt", "Makefile"] {
            assert_eq!(of(Path::new(plain)), Some(Kind::Plain), "{plain}");
        }
        assert_eq!(of(Path::new("a.pdf")), Some(Kind::Parsed("application/pdf")));
        assert_eq!(of(Path::new("a.docx")), Some(Kind::Parsed(OFFICE)));
        for none in [
            "a.png",
            "a.zip",
            "a.exe",
            "core",
            ".gitignore",
            "a.",
            "film.mp4",
            "id_rsa",
            ".env",
        ] {
            assert_eq!(of(Path::new(none)), None, "{none}");
        }
    }
}
