//! What a short text is about, by its words: a heading, a label, a button.
//!
//! "Related products" says what the blocks after it are worth whatever tags the page is built of. As with the hints of
//! tags and class names this is evidence for the model, never a verdict. Languages beyond those listed are not told apart.

/// How many topics there are.
pub(super) const TOPICS: usize = Topic::Date as usize + 1;

macro_rules! topics {
    ($($name:ident: $($word:literal)|+;)+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Topic { $($name),+ }

        impl Topic {
            pub(super) const NAMES: [&'static str; TOPICS] = [$(stringify!($name)),+];
        }

        fn of_word(word: &str) -> Option<Topic> {
            match word {
                $($($word)|+ => Some(Topic::$name),)+
                _ => None,
            }
        }
    };
}

topics! {
    Related: "related" | "similar" | "recommended" | "recommendations" | "recommend" | "also" | "viewed" | "bought" | "popular" | "trending" | "latest" | "recent" | "recently" | "featured" | "together" | "suggested" | "ähnliche" | "verwandte" | "empfohlen" | "similaires" | "aussi" | "también" | "relacionados" | "recomendados" | "関連記事";
    Review: "review" | "reviews" | "reviewed" | "rating" | "ratings" | "rated" | "testimonial" | "testimonials" | "stars" | "customers" | "clients" | "verified" | "bewertung" | "bewertungen" | "avis" | "opiniones" | "reseñas" | "recensioni" | "レビュー";
    Comment: "comment" | "comments" | "reply" | "replies" | "respond" | "response" | "responses" | "discussion" | "said" | "wrote" | "quote" | "kommentar" | "kommentare" | "commentaires" | "comentarios" | "コメント";
    Join: "newsletter" | "subscribe" | "subscription" | "signup" | "join" | "follow" | "inbox" | "email" | "updates" | "donate" | "abonnieren" | "suscríbete" | "notified" | "offers" | "exclusive";
    Share: "share" | "facebook" | "twitter" | "linkedin" | "pinterest" | "instagram" | "youtube" | "whatsapp" | "reddit" | "copy" | "print" | "social" | "teilen" | "partager" | "compartir";
    Help: "contact" | "support" | "help" | "chat" | "call" | "phone" | "touch" | "demo" | "consultation" | "book" | "schedule" | "kontakt" | "contacto" | "started" | "talk";
    Delivery: "shipping" | "returns" | "return" | "warranty" | "delivery" | "payment" | "refund" | "refunds" | "guarantee" | "stock" | "ships" | "pickup" | "versand" | "livraison" | "envío";
    Buy: "cart" | "basket" | "buy" | "order" | "checkout" | "quantity" | "qty" | "wishlist" | "compare" | "add" | "price" | "sale" | "save" | "bag" | "off" | "subtotal" | "warenkorb" | "panier" | "carrito";
    Describe: "description" | "about" | "overview" | "details" | "features" | "specification" | "specifications" | "specs" | "ingredients" | "benefits" | "materials" | "dimensions" | "highlights" | "included" | "box" | "information" | "why" | "how" | "what" | "beschreibung" | "produktbeschreibung" | "détails" | "descripción" | "caractéristiques";
    Faq: "faq" | "faqs" | "questions" | "question" | "asked" | "answers" | "answer";
    Contents: "contents" | "jump" | "toc" | "section" | "sections" | "chapter" | "table" | "article" | "inhalt" | "sommaire";
    Filter: "filter" | "filters" | "sort" | "refine" | "categories" | "category" | "browse" | "brand" | "brands" | "clear" | "apply" | "results" | "showing" | "items" | "shop" | "department" | "search";
    Legal: "privacy" | "cookie" | "cookies" | "terms" | "copyright" | "rights" | "reserved" | "policy" | "consent" | "legal" | "impressum" | "datenschutz" | "disclaimer" | "accessibility" | "careers";
    Account: "login" | "log" | "sign" | "signin" | "account" | "register" | "password" | "forgot" | "profile" | "member" | "members" | "joined" | "posts" | "anmelden" | "connexion";
    More: "more" | "all" | "view" | "see" | "read" | "learn" | "show" | "load" | "next" | "previous" | "prev" | "back" | "expand" | "click" | "explore" | "discover" | "skip" | "close" | "menu" | "home" | "mehr" | "plus" | "más";
    Date: "ago" | "january" | "february" | "march" | "april" | "june" | "july" | "august" | "september" | "october" | "november" | "december" | "jan" | "feb" | "mar" | "apr" | "jun" | "jul" | "aug" | "sep" | "sept" | "oct" | "nov" | "dec" | "monday" | "tuesday" | "wednesday" | "thursday" | "friday" | "saturday" | "sunday" | "updated" | "published" | "posted" | "edited" | "min" | "author";
}

/// How many words of a text belong to each topic, and to those that say who speaks.
#[derive(Default, Clone, Copy)]
pub(super) struct Told {
    pub(super) topics: [u8; TOPICS],
    /// Words that carry grammar, not matter: prose is full of them, labels are not.
    pub(super) grammar: u16,
    pub(super) i: u16,
    pub(super) you: u16,
    pub(super) we: u16,
}

impl Told {
    pub(super) fn of(text: &str) -> Self {
        let mut told = Self::default();
        let mut word = String::with_capacity(24);
        for char in text.chars().chain([' ']) {
            if char.is_alphabetic() {
                word.extend(char.to_lowercase());
            } else if !word.is_empty() {
                told.add(&word);
                word.clear();
            }
        }
        told
    }

    fn add(&mut self, word: &str) {
        match word {
            "i" | "my" | "me" | "ich" | "je" | "yo" => self.i += 1,
            "you" | "your" | "yours" | "sie" | "ihr" | "vous" | "votre" => self.you += 1,
            "we" | "our" | "us" | "wir" | "unser" | "nous" | "notre" => self.we += 1,
            "the" | "a" | "an" | "of" | "and" | "to" | "in" | "is" | "are" | "was" | "for" | "that" | "this" | "it"
            | "with" | "as" | "be" | "by" | "from" | "or" | "not" | "can" | "will" | "have" | "has" | "but" | "if"
            | "which" | "at" | "on" | "der" | "die" | "das" | "und" | "ist" | "zu" | "mit" | "von" | "den" | "ein"
            | "eine" | "le" | "la" | "les" | "des" | "et" | "est" | "que" | "el" | "los" | "y" | "en" | "de" | "un"
            | "una" | "il" | "di" | "che" => self.grammar += 1,
            _ => {
                if let Some(topic) = of_word(word) {
                    let count = &mut self.topics[topic as usize];
                    *count = count.saturating_add(1);
                }
            }
        }
    }
}
