// Package ask has what package guard and those beside it share: the addresses that are
// asked for, and the report on how that went.
package ask
