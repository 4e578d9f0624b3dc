// Package report defines the [Report] on a bind or a requirement, the [Error] that carries
// one, and their parts: causes, facts, gates and fixes.
//
// Package guard has these types under the same names, so that a server seldom needs to
// import this package.
package report
