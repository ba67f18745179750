namespace Gateway.Client.Doctor.Client;

/// <summary>A secret was not sent, since the receiver is not trusted.</summary>
internal sealed class KeptSecretException(string message) : Exception(message);
