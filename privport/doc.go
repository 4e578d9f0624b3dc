// Package privport is about privileged ports: which ports are privileged here
// ([Start]), whether our capabilities count for them ([OwnNetwork]), how to get a
// socket with the least privilege ([Listen], [ListenPacket], [Config]), and how to
// give it to the next process ([HandOver]).
//
// Most programs want package guard, which also explains a refusal.
package privport
