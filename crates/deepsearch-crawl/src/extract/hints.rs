//! What the author of a page calls its parts: the tags, and the words inside `class`, `id`, `role` and schema.org
//! properties. A hint is evidence for the model, never a verdict.

/// How many kinds of hint there are.
pub(super) const HINTS: usize = Hint::Code as usize + 1;

macro_rules! hints {
    ($($name:ident: $($word:literal)|+;)+) => {
        /// A part of a page that its author named.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Hint { $($name),+ }

        impl Hint {
            pub(super) const NAMES: [&'static str; HINTS] = [$(stringify!($name)),+];
        }

        fn of_word(word: &str) -> Option<Hint> {
            match word {
                $($($word)|+ => Some(Hint::$name),)+
                _ => None,
            }
        }
    };
}

hints! {
    Nav: "nav" | "navbar" | "navigation" | "menu" | "menubar" | "menuitem" | "submenu" | "megamenu" | "subnav" | "topnav" | "sidenav" | "dropdown" | "toc" | "sitemap" | "drawer" | "offcanvas" | "topbar" | "navlist" | "flyout";
    Footer: "footer" | "foot" | "copyright" | "colophon" | "contentinfo" | "legal";
    Header: "header" | "masthead" | "banner" | "head" | "topper";
    Side: "sidebar" | "aside" | "side" | "rail" | "widget" | "widgets" | "complementary" | "secondary";
    Comment: "comment" | "comments" | "commentlist" | "disqus" | "respond";
    Related: "related" | "recommend" | "recommended" | "recommendation" | "recommendations" | "similar" | "also" | "more" | "upsell" | "upsells" | "crosssell" | "popular" | "trending" | "latest" | "recent" | "recently" | "suggested" | "suggestions" | "prev" | "next" | "previous";
    Share: "share" | "sharing" | "social" | "follow" | "facebook" | "twitter" | "addthis" | "socials";
    Promo: "promo" | "promotion" | "ad" | "ads" | "advert" | "advertisement" | "advertising" | "sponsor" | "sponsored" | "cta" | "newsletter" | "subscribe" | "subscription" | "signup" | "outbrain" | "taboola" | "donate" | "marketing" | "callout";
    Consent: "cookie" | "cookies" | "consent" | "gdpr" | "privacy" | "onetrust" | "ccpa";
    Overlay: "modal" | "popup" | "overlay" | "dialog" | "lightbox" | "alert" | "notice" | "toast" | "tooltip" | "popover" | "notification" | "notifications" | "message-box";
    Crumb: "breadcrumb" | "breadcrumbs" | "crumb" | "crumbs";
    Meta: "meta" | "byline" | "author" | "date" | "timestamp" | "published" | "dateline" | "metadata" | "posted" | "time" | "info" | "stats" | "datepublished";
    Tags: "tag" | "tags" | "category" | "categories" | "label" | "labels" | "badge" | "badges";
    User: "user" | "users" | "avatar" | "profile" | "member" | "username" | "signature" | "poster" | "bio";
    Pager: "pagination" | "pager" | "paging" | "pages" | "pagenav" | "paginator";
    Filter: "filter" | "filters" | "facet" | "facets" | "sort" | "sorting" | "refine" | "refinement" | "refinements" | "sortby";
    Search: "search" | "searchbox" | "login" | "account" | "cart" | "minicart" | "checkout" | "basket" | "signin" | "register" | "wishlist" | "locale" | "language" | "languages" | "country" | "currency";
    Action: "button" | "buttons" | "btn" | "action" | "actions" | "toolbar" | "controls" | "edit" | "print" | "report" | "vote" | "votes" | "like" | "reactions" | "quantity" | "qty";
    Product: "product" | "price" | "prices" | "pricing" | "sku" | "buy" | "purchase" | "variant" | "variants" | "pdp" | "offer" | "offers" | "shop" | "swatch" | "swatches" | "color" | "size";
    Description: "description" | "desc" | "spec" | "specs" | "specification" | "specifications" | "feature" | "features" | "detail" | "details" | "overview" | "about" | "ingredients" | "attributes" | "additional";
    Summary: "summary" | "excerpt" | "intro" | "lead" | "lede" | "subtitle" | "teaser" | "abstract" | "tagline" | "standfirst" | "dek";
    Content: "content" | "article" | "entry" | "main" | "body" | "story" | "text" | "prose" | "markdown" | "wysiwyg" | "richtext" | "rte" | "articlebody" | "paragraph" | "copy" | "maincontent" | "primary" | "mw" | "document" | "docs" | "page";
    Post: "post" | "posts" | "forum" | "thread" | "threads" | "topic" | "topics" | "message" | "messages" | "question" | "answer" | "answers" | "discussion" | "reply" | "replies" | "conversation" | "bbp" | "bbcode" | "postbody";
    Quote: "quote" | "quoted" | "blockquote" | "bbquote" | "onebox";
    Review: "review" | "reviews" | "rating" | "ratings" | "testimonial" | "testimonials" | "feedback" | "qa" | "stars";
    Item: "item" | "items" | "card" | "cards" | "tile" | "tiles" | "result" | "results" | "listing" | "listings" | "li" | "cell";
    List: "list" | "grid" | "catalog" | "collection" | "collections" | "row" | "rows" | "table" | "columns" | "col" | "column" | "feed" | "loop" | "archive" | "plp";
    Faq: "faq" | "faqs" | "accordion" | "tab" | "tabs" | "panel" | "collapse" | "toggle" | "expandable" | "expander" | "disclosure";
    Title: "title" | "heading" | "headline" | "name" | "hed" | "subheading";
    Hero: "hero" | "jumbotron" | "splash" | "billboard" | "spotlight" | "section" | "block" | "module" | "cms" | "elementor" | "wpb" | "wp";
    Hidden: "hidden" | "sr" | "visually" | "visuallyhidden" | "invisible" | "hide" | "skip" | "skiplink" | "screen" | "srOnly" | "offscreen" | "collapsed" | "inactive" | "a11y";
    Media: "gallery" | "slider" | "carousel" | "swiper" | "slick" | "slide" | "caption" | "image" | "images" | "figure" | "video" | "player" | "photo" | "thumbnail" | "thumb" | "media";
    TagNav: "<nav>";
    TagHeader: "<header>";
    TagFooter: "<footer>";
    TagAside: "<aside>";
    TagMain: "<main>";
    TagArticle: "<article>";
    TagSection: "<section>";
    TagForm: "<form>";
    TagTable: "<table>";
    TagList: "<ul>" | "<ol>" | "<dl>";
    TagItem: "<li>" | "<dd>" | "<dt>";
    TagLink: "<a>";
    TagButton: "<button>";
    TagFigure: "<figure>";
    TagDetails: "<details>";
    TagDialog: "<dialog>";
    TagQuote: "<blockquote>";
    TagHeading: "<h1>" | "<h2>" | "<h3>" | "<h4>" | "<h5>" | "<h6>";
    Schema: "<itemscope>";
    NoScript: "<noscript>";
    Unseen: "<hidden>";
    BodyOfPost: ".bbwrapper" | ".message-body" | ".message-content" | ".messagecontent" | ".messagetext" | ".cooked" | ".post-content" | ".postcontent" | ".post_message" | ".s-prose" | ".js-post-body" | ".post-text" | ".ipstype_richtext" | ".commtext" | ".usertext-body" | ".lia-message-body-content" | ".bbp-reply-content" | ".bbp-topic-content" | ".post-body" | ".post-message" | ".postbody" | ".post_body" | ".comment-body" | ".comment-content" | "=text";
    BodyOfArticle: ".entry-content" | ".article-body" | ".articlebody" | ".article-content" | ".story-body" | ".mw-parser-output" | ".markdown-body" | ".td-content" | ".theme-doc-markdown" | ".rst-content" | ".article__body" | ".article__content" | ".e-content" | ".post__content" | ".single-content" | ".blog-content" | ".wp-block-post-content" | ".markdown" | ".prose" | ".main-page-content" | ".doccontent" | "=articlebody";
    BodyOfProduct: ".product-description" | ".productdescription" | ".product__description" | ".product-single__description" | ".product-details" | ".product-detail" | ".product-content" | ".product-info" | ".woocommerce-product-details__short-description" | ".woocommerce-tabs-panel--description" | ".woocommerce-tabs" | ".pdp-description" | ".item-description" | ".rte" | ".rich-text" | ".tab-description" | ".game_area_description" | "=description";
    AsidePost: ".message-cell--user" | ".message-user" | ".message-userextras" | ".message-attribution" | ".message-actionbar" | ".message-footer" | ".message-lastedit" | ".message-signature" | ".messageuserinfo" | ".postprofile" | ".post-menu-area" | ".crawler-post-meta" | ".crawler-linkback-list" | ".post-likes" | ".votecell" | ".js-vote-count" | ".user-info" | ".post-signature" | ".js-post-menu" | ".ipscomment_author" | ".cauthorpane" | ".ipscomment_meta" | ".ipscomment_tools" | ".ipsitemcontrols" | ".signature" | ".postmeta" | ".post-meta" | ".postdetails" | ".userinfo" | ".author-info" | ".related-topics" | ".topic-map" | ".suggested-topics" | "=interactionstatistic";
    Code: "code" | "highlight" | "codehilite" | "syntax";
}

/// A set of hints.
#[derive(Clone, Copy, Default)]
pub(super) struct Hints(u64);

impl Hints {
    fn add(&mut self, word: &str) {
        if let Some(hint) = of_word(word) {
            self.0 |= 1 << hint as u64;
        }
    }

    pub(super) fn iter(self) -> impl Iterator<Item = usize> {
        (0..HINTS).filter(move |bit| self.0 >> bit & 1 == 1)
    }
}

/// What this element says of itself.
pub(super) fn of(element: &scraper::node::Element) -> Hints {
    let mut hints = Hints::default();
    let mut word = String::with_capacity(24);
    word.extend(["<", element.name(), ">"]);
    hints.add(&word);
    for (name, value) in element.attrs() {
        match name {
            "class" | "id" | "role" | "itemprop" => {
                words(value, &mut word, &mut hints);
                whole(name, value, &mut word, &mut hints);
            }
            "itemtype" => {
                hints.add("<itemscope>");
                words(value.rsplit('/').next().unwrap_or_default(), &mut word, &mut hints);
            }
            "hidden" => hints.add("<hidden>"),
            "aria-hidden" if value == "true" => hints.add("<hidden>"),
            "style" if is_unseen(value) => hints.add("<hidden>"),
            _ => {}
        }
    }
    hints
}

fn is_unseen(style: &str) -> bool {
    let style: String = style.chars().filter(|char| !char.is_whitespace()).take(400).collect();
    style.contains("display:none") || style.contains("visibility:hidden")
}

// What common forums, shops and content systems call a part is told by the name as a whole.
fn whole(name: &str, value: &str, word: &mut String, hints: &mut Hints) {
    let sign = match name {
        "class" | "id" => '.',
        "itemprop" => '=',
        _ => return,
    };
    for token in value.split_ascii_whitespace().take(20).filter(|token| token.len() < 60) {
        word.clear();
        word.push(sign);
        word.extend(token.chars().map(|char| char.to_ascii_lowercase()));
        hints.add(word);
    }
}

// `siteNav-menu_item` is `site nav menu item`.
fn words(value: &str, word: &mut String, hints: &mut Hints) {
    word.clear();
    let mut lower = false;
    for char in value.chars().take(600) {
        if char.is_ascii_uppercase() && lower || !char.is_ascii_alphanumeric() {
            hints.add(word);
            word.clear();
        }
        lower = char.is_ascii_lowercase();
        if char.is_ascii_alphanumeric() {
            word.push(char.to_ascii_lowercase());
        }
    }
    hints.add(word);
}
