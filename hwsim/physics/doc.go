// Package physics holds the laws behind the telemetry of the plant: radio, optics,
// amplified spans, queues, energy, batteries, heat, protocol timers, and the measures
// of a choice between several aims. Every function is pure: it keeps no state, reads
// no clock and draws no random number. Units are in the names; the comment of each
// formula names its source. Arguments outside a formula's domain give NaN or an error,
// as the comment says.
package physics
