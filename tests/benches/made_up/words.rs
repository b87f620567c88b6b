//! Words of a language that nobody speaks, and texts of them.
//!
//! They have the frequencies and the first letters of a language (Zipf); one message in twenty is in Chinese characters.

/// Words of a language that nobody speaks, and texts of them.
pub(crate) struct Words {
    pub(crate) words: Vec<String>,
    /// How much of all text the words up to this one make up.
    shares: Vec<f64>,
    state: u64,
}

impl Words {
    pub(crate) fn new(seed: u64) -> Self {
        const COUNT: usize = 200_000;
        let mut words = Self {
            words: Vec::with_capacity(COUNT),
            shares: Vec::with_capacity(COUNT),
            // The words are the same for every seed.
            state: 42,
        };
        let mut seen = std::collections::HashSet::new();
        let mut share = 0.0;
        while words.words.len() < COUNT {
            let rank = words.words.len() as f64 + 1.0;
            let length = (2.0 + rank.log10() * 1.4) as usize + words.below(4);
            let word: String = (0..length).map(|_| words.letter()).collect();
            if seen.insert(word.clone()) {
                share += 1.0 / rank;
                words.words.push(word);
                words.shares.push(share);
            }
        }
        words.state = seed;
        words
    }

    fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// As often as in English.
    fn letter(&mut self) -> char {
        const LETTERS: &[u8] = b"eeeeeeeeeeeetttttttttaaaaaaaaooooooooiiiiiiinnnnnnnssssssrrrrrrhhhhhhddddllllcccuuummmffppggwwyybbvvkxjqz";
        char::from(LETTERS[self.below(LETTERS.len())])
    }

    pub(crate) fn rank(&mut self) -> usize {
        let at = self.unit() * self.shares[self.shares.len() - 1];
        self.shares
            .partition_point(|share| *share < at)
            .min(self.words.len() - 1)
    }

    pub(crate) fn text(&mut self, words: usize) -> String {
        let mut text = String::with_capacity(words * 7);
        for number in 0..words {
            if number > 0 {
                text.push_str(if number % 14 == 0 { ".\n" } else { " " });
            }
            let rank = self.rank();
            text.push_str(&self.words[rank]);
        }
        text
    }

    /// Characters with Zipf's frequencies too, twelve to a clause.
    fn chinese(&mut self, characters: usize) -> String {
        let mut text = String::new();
        for number in 0..characters {
            if number > 0 && number % 12 == 0 {
                text.push('，');
            }
            let rank = self.rank() % 5_000;
            text.extend(char::from_u32(0x4E00 + rank as u32));
        }
        text
    }

    pub(crate) fn message(&mut self) -> String {
        if self.below(20) == 0 {
            let characters = 20 + self.below(60);
            return self.chinese(characters);
        }
        let words = 3 + (-(1.0 - self.unit()).ln() * 28.0) as usize;
        self.text(words)
    }
}
