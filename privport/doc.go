// Package privport is about privileged ports: which ports are privileged here
// ([Start]), whether our capabilities count for them ([OwnNetwork]), and how to
// get a listener with the least privilege ([Listen]).
//
// Most programs want package guard, which also explains a refusal.
package privport
