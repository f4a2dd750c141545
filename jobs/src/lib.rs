//! Rollups: fold, settle, recompute, rebuild.
