//! Everything that talks to Redis, in the engine's words. Each call is one atomic step on the
//! server and safe to repeat. Knows the dialect's key names and nothing of threads or Ruby.
