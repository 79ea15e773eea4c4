//! Fuzz targets, one per public decoder.
