namespace Gateway.Client.Doctor.Client;

/// <summary>A secret was not sent, since nobody vouches for who would have got it.</summary>
internal sealed class KeptSecretException(string message) : Exception(message);
