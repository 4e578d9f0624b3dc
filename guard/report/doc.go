// Package report has what package guard says, and the packages beside it: the [Report] on
// a bind or a requirement, the [Error] that carries one, and what they are made of.
//
// Package guard has these types under the same names, so that a server seldom needs to
// import this package.
package report
