//! Fakes and the local web that journeys run on.
