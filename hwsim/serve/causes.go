package serve

import (
	"strconv"
	"strings"
)

// Labels of IANAItuProbableCause (IANA-ITU-ALARM-TC-MIB), as far as the plant's
// alarms have them; slips of the registry's spelling are mended.
var causeLabels = func() map[int]string {
	out := map[int]string{
		504: "communicationsProtocolError", 505: "communicationsSubsystemFailure", 509: "cpuCyclesLimitExceeded", 514: "equipmentMalfunction",
		532: "performanceDegraded", 537: "queueSizeExceeded", 545: "softwareProgramAbnormallyTerminated", 549: "thresholdCrossed",
		600: "authenticationFailure", 609: "keyExpired", 612: "outOfService",
	}
	for first, names := range map[int]string{
		1: "aIS callSetUpFailure degradedSignal farEndReceiverFailure framingError lossOfFrame lossOfPointer lossOfSignal payloadTypeMismatch transmissionError remoteAlarmInterface " +
			"excessiveBER pathTraceMismatch unavailable signalLabelMismatch lossOfMultiFrame receiveFailure transmitFailure modulationFailure demodulationFailure broadcastChannelFailure " +
			"connectionEstablishmentError invalidMessageReceived localNodeTransmissionError remoteNodeTransmissionError routingFailure",
		58: "powerProblem processorProblem protectionPathFailure receiverFailure replaceableUnitMissing replaceableUnitTypeMismatch synchronizationSourceMismatch terminalProblem " +
			"timingProblem transmitterFailure trunkCardProblem replaceableUnitProblem realTimeClockFailure antennaFailure batteryChargingFailure diskFailure frequencyHoppingFailure " +
			"iODeviceError lossOfSynchronisation lossOfRedundancy powerSupplyFailure signalQualityEvaluationFailure transceiverFailure protectionMechanismFailure protectingResourceFailure",
		102: "airConditioningFailure airDryerFailure batteryDischarging batteryFailure commercialPowerFailure coolingFanFailure engineFailure fireDetectorFailure fuseFailure " +
			"generatorFailure lowBatteryThreshold pumpFailure rectifierFailure rectifierHighVoltage rectifierLowVoltage ventilationSystemFailure enclosureDoorOpen explosiveGas fire " +
			"flood highHumidity highTemperature highWind iceBuildUp intrusionDetection lowFuel lowHumidity lowCablePressure lowTemperature lowWater smoke toxicGas",
		151: "storageCapacityProblem memoryMismatch corruptData outOfCPUCycles softwareEnvironmentProblem softwareDownloadFailure lossOfRealTime applicationSubsystemFailure " +
			"configurationOrCustomisationError databaseInconsistency fileError outOfMemory softwareError timeoutExpired underlyingResourceUnavailable versionMismatch",
		201: "bandwidthReduced congestion excessiveErrorRate excessiveResponseTime excessiveRetransmissionRate reducedLoggingCapability systemResourcesOverload",
	} {
		for i, n := range strings.Fields(names) {
			out[first+i] = n
		}
	}
	return out
}()

// CauseLabel is the name of a probable cause; of one that has none here, the number.
func CauseLabel(number int) string {
	if n, ok := causeLabels[number]; ok {
		return n
	}
	return strconv.Itoa(number)
}
