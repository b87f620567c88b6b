//! Chat-model providers behind one trait, streaming; the extractive writer that needs no model.
