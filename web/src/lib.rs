//! Pages, charts and data files over the rollups.
