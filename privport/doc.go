// Package privport is about privileged ports: which ports are privileged here
// ([Start]), whether our capabilities count for them ([OwnNetwork]), how to get a
// socket with the least privilege ([Listen], [ListenPacket], [Config]), how to make one
// privileged call ([Raise]), and how to give a socket to the next process ([HandOver]).
//
// Most programs want package guard, which also explains a refusal.
package privport
