// Package audit says what a running process could do in an attacker's hands, from
// the kernel's side and not from its unit's.
//
// [Read] reads one process into a [Process], a plain value in which each fact is
// known, absent or unreadable; [Findings] and [Fixes] are pure functions over it.
// A fix is kept only if, by the same rules, its findings are gone after it.
package audit
