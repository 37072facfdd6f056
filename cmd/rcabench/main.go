// Command rcabench measures Faultline: it is the only program that may see ground
// truth, and it keeps it from every analysis.
package main

func main() {}
