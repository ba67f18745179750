namespace Gateway.Foundation.Availability;

/// <summary>How long something that failed is left alone before it is asked again: twice as long each time.</summary>
/// <param name="First">After the first failure.</param>
/// <param name="Last">At most.</param>
internal readonly record struct BackOff(TimeSpan First, TimeSpan Last)
{
    /// <summary>How long to wait after so many failures in a row, the first counted as 1.</summary>
    public TimeSpan After(int failures)
    {
        var wait = First * Math.Pow(2, Math.Clamp(failures - 1, 0, 20));
        return wait < Last ? wait : Last;
    }
}
