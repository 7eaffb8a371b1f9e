"""The demo's back end: people and their pictures in one SQLite file, over HTTP. It knows nothing of Qt or qtorch."""
