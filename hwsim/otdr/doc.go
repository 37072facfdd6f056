// Package otdr is the optical time-domain reflectometer: it synthesises the trace of a
// fibre, finds the events of a trace, and reads and writes traces as .sor files (Bellcore
// GR-196 and Telcordia SR-4731). Distances are in metres from the front panel, levels in
// dB on the one-way scale of instruments (5 log10 of the received power), higher is more
// light. Nothing here reads a clock or a file, and noise comes from a source that the
// caller gives.
package otdr
